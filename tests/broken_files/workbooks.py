"""Excel workbooks."""

import zipfile

import openpyxl

from tests.broken_files.cases import case, good_table, of_bytes, zip_bomb


@case("study.xlsx", "damaged")
def _cut_workbook(folder):
    good_table().to_excel(folder / "whole.xlsx", index=False)
    return of_bytes(folder, "study.xlsx", (folder / "whole.xlsx").read_bytes()[:3000])


@case("study.xls", "Excel 97-2003", ".xlsx")
def _old_workbook(folder):
    return of_bytes(folder, "study.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)


@case("study.xlsx", "no sheet with cells")
def _empty_workbook(folder):
    openpyxl.Workbook().save(folder / "study.xlsx")
    return [folder / "study.xlsx"]


@case("study.xlsx", "damaged")
def _workbook_of_exploding_entities(folder):
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{entities}]><x>&e11;</x>'
    good_table().to_excel(folder / "whole.xlsx", index=False)
    with (
        zipfile.ZipFile(folder / "whole.xlsx") as whole,
        zipfile.ZipFile(folder / "study.xlsx", "w") as made,
    ):
        for name in whole.namelist():
            made.writestr(name, bomb if name.endswith("sheet1.xml") else whole.read(name))
    return [folder / "study.xlsx"]


@case("study.xlsx", "starts with a row of numbers", "header line")
def _workbook_without_a_header(folder):
    table = good_table()[["audio_pitch", "audio_energy", "video_smile"]]
    table.to_excel(folder / "study.xlsx", index=False, header=False)
    return [folder / "study.xlsx"]


@case("study.xlsx", "would unpack to 1.6 GiB", "at most")
def _workbook_bomb(folder):
    return zip_bomb(folder / "study.xlsx", "[Content_Types].xml")


@case("study.xlsx", "damaged")
def _workbook_with_an_outside_entity(folder):
    text = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    good_table().to_excel(folder / "whole.xlsx", index=False)
    with (
        zipfile.ZipFile(folder / "whole.xlsx") as whole,
        zipfile.ZipFile(folder / "study.xlsx", "w") as made,
    ):
        for name in whole.namelist():
            made.writestr(name, text if name.endswith("workbook.xml") else whole.read(name))
    return [folder / "study.xlsx"]


@case("study.xlsx", "leads outside of the archive")
def _workbook_with_a_name_that_leads_out(folder):
    good_table().to_excel(folder / "study.xlsx", index=False)
    with zipfile.ZipFile(folder / "study.xlsx", "a") as archive:
        archive.writestr("../evil.xml", "x")
    return [folder / "study.xlsx"]
