"""Human ratings by modality: design, assignment, collection, agreement, use, simulation, power.

A design names clips, conditions (what raters get of a clip) and scales (`design`). `assignment`
spreads clips and conditions over raters, `store` keeps raters and their answers, `agreement` shows
how far raters agree, `use` makes their ratings the study's judgments.
"""
