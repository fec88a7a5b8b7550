"""The figures' names on the page and what is to be seen in each."""

CAPTIONS = {
    "comparison": (
        "Configurations",
        "Before saying that one is better, look at the table of differences: it pairs the seeds.",
    ),
    "heatmap": (
        "Two settings",
        "The two settings that matter most; each cell says how many seeds it rests on.",
    ),
    "interaction": (
        "Interaction",
        "Lines that run parallel mean that the one setting's effect does not depend on the other.",
    ),
    "importance": (
        "What explains it",
        "Of what configurations differ in, the part that goes with each setting, and with pairs.",
    ),
    "path": (
        "One change at a time",
        "Of the changes that lead to the best configuration, the largest gain first.",
    ),
    "history": (
        "Histories",
        "Training figures are running means over augmented images, with any label smoothing.",
    ),
    "gap": (
        "Generalisation gap",
        "What is known of training images and not of others: learnt by heart.",
    ),
    "budget": (
        "Early rankings",
        "Correlation near one and price near zero: so many epochs would have told the same.",
    ),
    "compute": (
        "What it costs",
        "PFLOP do not depend on the machine; seconds do, and on what else it did.",
    ),
    "noise": (
        "Noise between seeds",
        "What one seed more or less says, and what it would take to tell small differences.",
    ),
    "parallel": ("All settings at once", "Each line is a configuration."),
    "rates": (
        "Learning rate",
        "The base rate; parameter groups may have their own multiple of it.",
    ),
    "confusion": ("Confusion", "The best run on the test images: rows sum to 100 %."),
    "pairs": (
        "Confused classes",
        "The best run on the test images, both directions counted together.",
    ),
    "reliability": (
        "Reliability",
        "Bars above the line: right more often than it is sure of (as label smoothing makes it).",
    ),
}
