"""The paper's experiments on a data set: `lazy-vos benchmark`; `docs/benchmark.md` explains them.

From the command to the numbers, one idea a file:

* what is tracked: `layouts` and `datasets` find files, `truth` reads the annotations;
* how: `methods` (toggles and presets), `settings` (all on which numbers depend), `networks`;
* one sequence: `protocol`, with `introduction` (objects appear), `person` and `attendance` (the
  simulated operator), `cast` (whose id is whose) and `scoring`; what is left is a `records` value;
* many: `jobs` (the unit of work), `executors` (here, processes, Dask), `store` (finished ones),
  `progress`, `run`;
* numbers: `figures`, `results`.

An operator who answers late is a further class in `attendance`, chosen by `attend_to` from further
fields of `Settings`; nothing else has to know of it.
"""
