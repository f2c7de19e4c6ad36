"""A simulated study like WESAD, where one sample of one modality was recorded badly."""

import numpy as np

from smurf_core.data.dataset import Features, MultimodalDataset

FAR = 17  # the sample whose emg was recorded badly


def recorded_badly() -> MultimodalDataset:
    """150 windows of 12 persons in three states, as WESAD's: emg says little, and once too much."""
    random = np.random.default_rng(0)
    state = random.integers(0, 3, 150)
    features = {}
    for name, strength in (("ecg", 1.5), ("eda", 1.0), ("emg", 0.3)):
        means = random.normal(size=(3, 6)) * strength
        values = (means[state] + random.normal(size=(150, 6))).astype(np.float32)
        if name == "emg":
            values[FAR] = [35, -36, 37, 38, -35, 39]
        features[name] = Features(values, tuple(f"{name}_{d}" for d in range(6)))
    return MultimodalDataset(
        name="simulated WESAD",
        task="classification",
        features=features,
        sample_ids=np.array([f"w{i}" for i in range(150)]),
        target=state,
        target_name="state",
        class_names=("rest", "stress", "amusement"),
        persons=np.array([f"p{i % 12}" for i in range(150)]),
        origin="simulated",
    )
