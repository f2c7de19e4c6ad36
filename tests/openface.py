"""A small script that stands for OpenFace, which is a program that writes a CSV.

It writes the layout that FeatureExtraction 2.2 really writes, with `-f`, `-out_dir` and `-of`; that
interface is all that is used of OpenFace. It reads what it is to write from the "video" (a text of
intensities, `?` for a frame that was not tracked), or makes it from the bytes of a real one, and
counts its calls.
"""

import sys
from pathlib import Path

_PROGRAM = """#!{python}
import pathlib, sys
given = dict(zip(sys.argv[1:7:2], sys.argv[2:8:2]))
assert list(given) == ["-f", "-out_dir", "-of"], sys.argv
assert sys.argv[7:] == ["-aus", "-pose", "-gaze"], sys.argv
video = pathlib.Path(given["-f"])
with (video.parent / "calls").open("a") as calls:
    calls.write(video.name + " ")
content = video.read_bytes()
if content[4:8] == b"ftyp":
    text = " ".join(str(byte % 5) for byte in content[-60:])
else:
    text = content.decode()
if not text.strip():
    sys.exit("Could not open the video file: " + str(video))
rows = ["frame, face_id, timestamp, confidence, success, gaze_angle_x, pose_Rx, AU12_r, AU12_c"]
for k, intensity in enumerate(text.split()):
    confidence = "0.30" if intensity == "?" else "0.98"
    intensity = "0" if intensity == "?" else intensity
    on = "1.00" if float(intensity) > 1 else "0.00"
    start = f"{{k + 1}}, 0, {{k / 10:.3f}}, {{confidence}}, 1, 0.1, 0.02"
    rows.append(f"{{start}}, {{intensity}}, {{on}}")
(pathlib.Path(given["-out_dir"]) / (given["-of"] + ".csv")).write_text("\\n".join(rows) + "\\n")
"""


def write_openface(folder: Path) -> Path:
    """Write the program `FeatureExtraction` into a folder; its path."""
    path = folder / "FeatureExtraction"
    path.write_text(_PROGRAM.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return path
