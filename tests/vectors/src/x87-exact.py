#!/usr/bin/env python3
"""Exact values of the transcendental x87 functions, as tests/unit/x87-exact.test.ts and tests/fuzz/x87-ulps.ts read them.

In: SEED COUNT (arguments of each function). Out: lines on stdout, numbers in hex:
    CODE ST0 ST1 RESULT...        operands as exponent:significand of the 80-bit format, results as sign, exponent and the first 128 bits of the significand
A result is the real number, but for sine, cosine and tangent, whose argument is first reduced by the processor's pi of 66 bits (SDM volume 1, 8.3.8); with --pi by pi itself.
Needs mpmath.
"""
import random
import sys

from mpmath import atan2, cos, expm1, floor, frexp, ldexp, log, log1p, mp, mpf, pi, sin

mp.prec = 700
PI66 = ldexp(mpf(0x3243F6A8885A308D3), -64)


def value(x):
    """The real number of (sign and exponent, significand)."""
    se, sig = x
    v = ldexp(mpf(sig), max(se & 0x7FFF, 1) - 16383 - 63)
    return -v if se & 0x8000 else v


def nearest(v):
    """The number of the format next to v, v not 0."""
    m, e = frexp(abs(v))
    sig = int(floor(ldexp(m, 64) + mpf(1) / 2))
    if sig >> 64:
        sig, e = sig >> 1, e + 1
    return ((0x8000 if v < 0 else 0) | (e - 1 + 16383), sig)


def significand(rng):
    kind = rng.randrange(5)
    if kind == 0:
        s = 1 << rng.randrange(64) | 1 << rng.randrange(64)
    elif kind == 1:
        s = (0xFFFFFFFFFFFFFFFF << rng.randrange(64)) & 0xFFFFFFFFFFFFFFFF
    elif kind == 2:
        s = rng.choice((0, 1, 2, 3, 0x7FFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFE))
    else:
        s = rng.getrandbits(64)
    return s | 1 << 63


def between(rng, low, high):
    """A number with an exponent of low to high - 1, of either sign."""
    return (0x3FFF + rng.randrange(low, high) | rng.randrange(2) << 15, significand(rng))


def beside(rng, x):
    """x, or one of its next neighbours."""
    se, sig = x
    sig += rng.randrange(-2, 3)
    return (se, min(max(sig, 1 << 63), (1 << 64) - 1))


def angle(rng):
    """Of any size below 2^63; many beside multiples of a quarter turn, by pi and by the processor's pi."""
    kind = rng.randrange(4)
    if kind == 0:
        return between(rng, -70, 3)
    if kind == 1:
        return between(rng, 0, 63)
    turns = rng.randrange(1, 1 << rng.randrange(1, 62))
    x = beside(rng, nearest(turns * (pi if kind == 2 else PI66) / 2))
    return (x[0] | rng.randrange(2) << 15, x[1])


def near_one(rng):
    """1 +- something small."""
    return nearest(1 + value(between(rng, -63, -1)) / 2)


def of_log(rng):
    kind = rng.randrange(4)
    x = near_one(rng) if kind == 0 else between(rng, -3, 3) if kind == 1 else between(rng, -16382, 16384)
    return (x[0] & 0x7FFF, x[1])


def circular(name):
    """Quarter turns are taken away first, by the pi that half_pi is half of; what they do to the function is exact."""

    def exact(st0, _, half_pi):
        x = value(st0)
        turns = int(floor(x / half_pi + mpf(1) / 2))
        r = x - turns * half_pi
        sine, cosine = ((sin(r), cos(r)), (cos(r), -sin(r)), (-sin(r), -cos(r)), (-cos(r), sin(r)))[turns & 3]
        return {'sin': (sine,), 'cos': (cosine,), 'tan': (sine / cosine,), 'both': (sine, cosine)}[name]

    return exact


def one(_):
    return (0x3FFF, 1 << 63)


def scale(rng):
    return between(rng, -20, 20)


# Code, ST(0), ST(1), results: as the instruction leaves them, the deepest register first.
FUNCTIONS = (
    ('d9f0', lambda r: between(r, -70, 0), one, lambda a, b, _: (expm1(value(a) * log(mpf(2))),)),
    ('d9f1', of_log, scale, lambda a, b, _: (value(b) * log(value(a)) / log(mpf(2)),)),
    ('d9f9', lambda r: between(r, -70, -2), scale, lambda a, b, _: (value(b) * log1p(value(a)) / log(mpf(2)),)),
    ('d9f2', angle, one, circular('tan')),
    ('d9f3', lambda r: between(r, -40, 40), lambda r: between(r, -40, 40), lambda a, b, _: (atan2(value(b), value(a)),)),
    ('d9fb', angle, one, circular('both')),
    ('d9fe', angle, one, circular('sin')),
    ('d9ff', angle, one, circular('cos')),
)


def printed(v):
    m, e = frexp(abs(v))
    return f"{'-' if v < 0 else '+'}{e - 1 + 16383:x}:{int(floor(ldexp(m, 128))):032x}"


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith('--')]
    half_pi = (pi if '--pi' in sys.argv else PI66) / 2
    rng = random.Random(int(arguments[0]))
    for code, first, second, exact in FUNCTIONS:
        for _ in range(int(arguments[1])):
            a, b = first(rng), second(rng)
            results = exact(a, b, half_pi)
            # 0 is exact everywhere, and what is too large or too small is for the recorded vectors.
            if any(v == 0 or not -16300 < frexp(v)[1] < 16300 for v in results):
                continue
            operands = ' '.join(f'{se:04x}:{sig:016x}' for se, sig in (a, b))
            print(code, operands, ' '.join(printed(v) for v in results))


main()
