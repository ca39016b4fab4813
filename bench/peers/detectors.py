# SPDX-License-Identifier: Apache-2.0
"""River's and Frouros' stream detectors, at their defaults and set to as many false alarms as vigie's: how long without
a false alarm, how late at a change. Rows of the table in docs/alarms.md, where the rest of it is explained.

usage: detectors.py river|frouros [--seconds N] [--only NAME,…] [--speed]    as many runs as N CPU seconds allow (12), at
most 1,000
--speed: nanoseconds an update in a stream without a change instead, as JSON
"""
import json
import sys
import time

import numpy as np

TARGET, BEFORE, MOST = 100_000, 2_000, 20_000


# name: (stream, factory, setting at matched run length). Up to its first alarm a detector of River follows the rules of
# vigie's of that name, so the value that vigie's has for that run length is its, too; Page-Hinkley's is that of unit variance.
def river():
    from river import drift
    from river.drift import binary
    return {"ADWIN": ("values", drift.ADWIN, dict(delta=.02603)),
            "PageHinkley": ("values", drift.PageHinkley, dict(threshold=287.5)),
            "KSWIN": ("values", drift.KSWIN, dict(alpha=2.333e-5)),  # 20 seconds and more a run
            "DDM": ("errors", binary.DDM, dict(drift_threshold=4.767)),
            "EDDM": ("errors", binary.EDDM, dict(beta=.69)),
            "HDDM_A": ("errors", binary.HDDMA, dict(drift_confidence=.001112)),
            "HDDM_W": ("errors", binary.HDDMW, dict(drift_confidence=4.748e-7)),
            "FHDDM": ("correct", binary.FHDDM, dict(confidence_level=1.235e-12))}


def frouros():
    import frouros.detectors.concept_drift as f

    def made(name):
        config = getattr(f, name + "Config")
        return lambda **setting: getattr(f, name)(config=config(**setting))
    # ADWIN refuses sums below zero. The sums of the next three rise only, and Page-Hinkley's has no floor.
    return {"ADWIN": ("positive", made("ADWIN"), dict(delta=.02603)),
            "PageHinkley": ("values", made("PageHinkley"), dict(lambda_=105.)),
            "CUSUM": ("values", made("CUSUM"), dict(lambda_=210.)),
            "GeometricMovingAverage": ("values", made("GeometricMovingAverage"), dict(lambda_=.262)),
            "KSWIN": ("values", made("KSWIN"), dict(alpha=2.333e-5)),
            "DDM": ("errors", made("DDM"), dict(drift_level=4.767)),
            "EDDM": ("errors", made("EDDM"), dict(beta=.69)),
            "RDDM": ("errors", made("RDDM"), dict(drift_level=4.15, warning_level=3.259)),
            "HDDMA": ("errors", made("HDDMA"), dict(alpha_d=.000556)),
            "HDDMW": ("errors", made("HDDMW"), dict(alpha_d=4.748e-7)),
            "ECDDWT": ("errors", made("ECDDWT"), None),
            "STEPD": ("correct", made("STEPD"), dict(alpha_d=1.374e-7))}


def chunks(stream, level, seed):
    random = np.random.default_rng(seed)
    while True:
        if stream in ("values", "positive"):
            yield from (random.standard_normal(500) + level + (100 if stream == "positive" else 0)).tolist()
            continue
        u = (random.random(500) < level) * 1
        yield from (1 - u if stream == "correct" else u).tolist()


def found_at(detector, values, most):
    """Values until the first drift, None where there is none among `most`."""
    river_like = hasattr(detector, "drift_detected")
    for i, x in zip(range(1, most + 1), values):
        detector.update(x) if river_like else detector.update(value=x)
        if detector.drift_detected if river_like else detector.drift:
            return i
    return None


def repeat(seconds, once):
    start, out = time.process_time(), []
    while len(out) < 1000 and (len(out) < 5 or time.process_time() - start < seconds):
        out.append(once(len(out)))
    return out


def delay(stream, make, setting, level, change, seconds):
    def once(run):
        detector = make(**setting)
        if found_at(detector, chunks(stream, level, 2 * run), BEFORE):
            return None  # a false alarm
        return found_at(detector, chunks(stream, level + change, 2 * run + 1), MOST) or MOST
    every = repeat(seconds, once)
    seen = [d for d in every if d is not None]
    if len(seen) < max(5, len(every) // 20) or 2 * seen.count(MOST) > len(seen):
        return "–"
    return ("≥ " if MOST in seen else "") + f"{sum(seen) / len(seen):,.0f}"


def row(program, name, stream, make, setting, seconds):
    errors = stream in ("errors", "correct")
    level = .1 if errors else 0
    runs = repeat(seconds, lambda run: found_at(make(**setting), chunks(stream, level, run + 10**6), TARGET))
    alarms = [r for r in runs if r]
    mean = sum(r or TARGET for r in runs) / max(len(alarms), 1)
    text = ", ".join(f"{k}={v:g}" for k, v in setting.items())
    cells = [f"{program} {name}" + (f" ({text})" if text else ""), "errors" if errors else "values", str(len(runs)),
             f"{100 * len(alarms) / len(runs):.1f} %", "", ("> " if not alarms else "") + f"{mean:,.0f}"]
    cells += [delay(stream, make, setting, level, c, seconds / 3) for c in ((.05, .1, .3) if errors else (.25, .5, 1))]
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    program, seconds = sys.argv[1], 12.
    if "--seconds" in sys.argv:
        seconds = float(sys.argv[sys.argv.index("--seconds") + 1])
    detectors = dict(river=river, frouros=frouros)[program]()
    if "--speed" in sys.argv:
        out = {}
        for name, (stream, make, _) in detectors.items():
            n = 10_000 if name in ("KSWIN", "STEPD") else 200_000
            values = [x for _, x in zip(range(n), chunks(stream, .1 if stream in ("errors", "correct") else 0, 1))]
            detector = make()
            start = time.process_time()
            if program == "river":
                for x in values:
                    detector.update(x)
                    detector.drift_detected
            else:
                for x in values:
                    detector.update(value=x)
                    if detector.drift:
                        detector.reset()
            out[name] = 1e9 * (time.process_time() - start) / n
        print(json.dumps(out))
        return
    only = sys.argv[sys.argv.index("--only") + 1].split(",") if "--only" in sys.argv else detectors
    for name, (stream, make, matched) in detectors.items():
        if name not in only:
            continue
        for setting in ({}, matched):
            if setting is not None:
                row(program.capitalize(), name, stream, make, setting, seconds)


if __name__ == "__main__":
    main()
