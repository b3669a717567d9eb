"""Answers before times: fretsaw's must be the framework's to the bit, others' are counted where they are not close.

Nobody wants the speed of something else.
"""

# What a peer's answer may be away from the framework's, against the larger of 1 and the answer; a row that is
# farther off counts as wrong. fp32 arithmetic in another order stays well within.
CLOSE = 1e-5


def bits(a):
    import numpy as np

    return np.ascontiguousarray(a).view({4: np.uint32, 8: np.uint64}[a.dtype.itemsize])


def as_columns(answers, like):
    """Answers rows x columns, reduced to as many columns as `like` has: of two classes the second."""
    import numpy as np

    answers = np.asarray(answers, dtype=np.float64)
    answers = answers.reshape(len(like), -1)
    return answers[:, 1:] if answers.shape[1] == 2 and like.shape[1] == 1 else answers


def judged(answers, reference):
    """How far answers are from the framework's: the most, and in how many rows too far."""
    import numpy as np

    reference = np.asarray(reference, dtype=np.float64).reshape(len(reference), -1)
    reference = reference[:, 1:] if reference.shape[1] == 2 else reference
    answers = as_columns(answers, reference)
    off = np.abs(answers - reference) / np.maximum(1.0, np.abs(reference))
    off = np.where(np.isnan(off), np.inf, off).max(1)
    return {"largest": float(off.max()), "wrong": int((off > CLOSE).sum()), "rows": len(off)}


def check(case, libraries, fretsaw, rows):
    """Compares everybody with the framework itself; ends the run where fretsaw's bits differ."""
    import numpy as np

    native = libraries[0]
    expected = np.asarray((native.answers or native.call)(rows))
    if native.margins:
        what, want, got = "margins", np.asarray(native.margins(rows)), fretsaw.answers(case, "--raw")
    else:
        what, want, got = "answers", expected, fretsaw.answers(case)
    same = want.size == got.size and want.dtype == got.dtype and bits(want).ravel() == bits(got).ravel()
    if not np.all(same):
        raise SystemExit(f"error: {case.name}: fretsaw's {what} are not {native.name}'s to the bit "
                         f"({want.dtype}, {want.shape}; {got.dtype}, {got.shape}; {np.size(same) - np.sum(same)} differ)")
    out = {"fretsaw": dict(judged(fretsaw.answers(case), expected), bits=what)}
    for library in libraries[1:]:
        out[library.name] = judged(library.call(library.prepare(rows)), expected)
    return out, expected
