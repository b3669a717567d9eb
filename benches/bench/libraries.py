"""The other runtimes as Python calls them: each loaded from the framework's own file, on one thread.

A `Library` answers rows with probabilities or values. Single rows are not to be timed from Python: fretsaw calls ONNX
Runtime by its C interface (`fretsaw.py`), and `one_row.py` calls the rest.
"""

import dataclasses
import importlib.metadata
import statistics
import time
import typing


@dataclasses.dataclass
class Library:
    name: str
    version: str
    # Rows as this library takes them best -> what is timed: its answers.
    call: typing.Callable
    prepare: typing.Callable = lambda rows: rows
    # What a framework answers besides: its margins, and its answers where `call` gives something cheaper.
    margins: typing.Callable | None = None
    answers: typing.Callable | None = None


def version(package):
    return importlib.metadata.version(package)


def xgboost(path):
    import numpy as np
    import xgboost

    booster = xgboost.Booster({"nthread": 1}, model_file=str(path))
    booster.set_param({"nthread": 1})
    return booster, Library(
        "xgboost", xgboost.__version__, lambda rows: np.asarray(booster.inplace_predict(rows)),
        margins=lambda rows: booster.predict(xgboost.DMatrix(rows), output_margin=True),
    )


def lightgbm(path):
    import lightgbm

    booster = lightgbm.Booster(model_file=str(path))
    return booster, Library(
        "lightgbm", lightgbm.__version__, lambda rows: booster.predict(rows, num_threads=1),
        margins=lambda rows: booster.predict(rows, num_threads=1, raw_score=True),
    )


def catboost(path):
    import catboost

    model = catboost.CatBoost()
    model.load_model(str(path))
    kind = "Probability" if len(model.classes_) else "RawFormulaVal"
    return model, Library(
        # Margins, which are CatBoost's cheapest answer, are what it is timed by.
        "catboost", catboost.__version__, lambda rows: model.predict(rows, prediction_type="RawFormulaVal", thread_count=1),
        margins=lambda rows: model.predict(rows, prediction_type="RawFormulaVal", thread_count=1),
        answers=lambda rows: model.predict(rows, prediction_type=kind, thread_count=1),
    )


def scikit_learn(path):
    import joblib
    import sklearn

    model = joblib.load(path)
    model.set_params(n_jobs=1)
    predict = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    return model, Library("scikit-learn", sklearn.__version__, predict)


def onnx_file(case, model, fretsaw, folder):
    """The case as ONNX, by whichever converter makes the file that ONNX Runtime runs faster.

    For boosters that is fretsaw's own; for forests it is skl2onnx's, whose rounding of sums is not scikit-learn's to
    the bit, and whose single operator costs half as much in large batches.
    """
    if case.framework != "scikit-learn":
        return fretsaw.converted(case)
    import numpy as np
    from skl2onnx import to_onnx

    out = folder / f"{case.name}.skl2onnx.onnx"
    if not out.exists():
        options = {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None
        row = np.load(case.rows, mmap_mode="r")[:1].astype(np.float32)
        proto = to_onnx(model, row, options=options, target_opset={"": 18, "ai.onnx.ml": 3})
        out.write_bytes(proto.SerializeToString())
    return out


def onnxruntime(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name, output = session.get_inputs()[0].name, session.get_outputs()[-1].name
    return Library("onnxruntime", onnxruntime.__version__, lambda rows: session.run([output], {name: rows})[0])


def onedal(model):
    from daal4py import daalinit, mb

    daalinit(1)
    converted = mb.convert_model(model)
    predict = converted.predict_proba if hasattr(converted, "predict_proba") else converted.predict
    return Library("onedal", version("scikit-learn-intelex"), predict)


def lleaves(path, cache):
    import lleaves
    import numpy as np

    model = lleaves.Model(model_file=str(path))
    # The small code model is the faster one, and large enough.
    model.compile(cache=str(cache), fcodemodel="small")
    return Library(
        "lleaves", version("lleaves"), lambda rows: model.predict(rows, n_jobs=1),
        # It takes f64; the cast is not its fault.
        prepare=lambda rows: np.ascontiguousarray(rows, dtype=np.float64),
    )


NATIVE = {"xgboost": xgboost, "lightgbm": lightgbm, "catboost": catboost, "scikit-learn": scikit_learn}


def load(case, fretsaw, folder):
    """The case's ONNX file, and who can run it: its own framework first."""
    model, native = NATIVE[case.framework](case.model)
    onnx = onnx_file(case, model, fretsaw, folder)
    out = [native, onnxruntime(onnx)]
    if case.framework == "lightgbm":
        out.append(lleaves(case.model, folder / f"{case.name}.lleaves.o"))
    if case.framework != "scikit-learn":
        out.append(onedal(model))
    return onnx, out


def time_calls(library, rows, batch, ms):
    """Nanoseconds of a call, the median over about `ms` milliseconds, on other rows from call to call."""
    places, at, times = len(rows) - batch + 1, 0, []
    library.call(rows[:batch])
    clock = time.perf_counter_ns
    end = clock() + ms * 1_000_000
    while not times or clock() < end:
        given = rows[at:at + batch]
        start = clock()
        library.call(given)
        times.append(clock() - start)
        at = (at + batch) % places
    return {"p50": statistics.median(times), "calls": len(times)}
