"""The samples that a page shows."""

import numpy as np

from app.state.selection import Scope


def test_a_scope_knows_its_samples_in_any_order():
    scope = Scope("quiet", 2, np.array(["s2", "s5"]))
    assert scope.mask(np.array(["s5", "s1", "s2"])).tolist() == [True, False, True]
    assert Scope("All samples", 3, None).mask(np.array(["a", "b"])).all()
