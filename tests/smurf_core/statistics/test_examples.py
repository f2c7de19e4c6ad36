"""The examples in docstrings run, and every public function has one and names its parts."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import smurf_core.statistics as package

MODULES = [module.name for module in pkgutil.iter_modules(package.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    module = importlib.import_module(f"{package.__name__}.{name}")
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_describe_parameters_and_results(name):
    module = importlib.import_module(f"{package.__name__}.{name}")
    functions = [
        function
        for title, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not title.startswith("_")
    ]
    lacking = [
        f"{function.__name__}: {part}"
        for function in functions
        for part in ("Parameters\n", "Returns\n", "Examples\n")
        if part not in (function.__doc__ or "")
    ]
    assert not lacking
