/**
 * The files that the rows read, the same on every machine. In: nothing. Out: a directory of data to compress and to hash, and of keys.
 * The keys are made from the hashes of their names, so that none is kept here. Source: RFC 8410 (Ed25519 in PKCS#8), RFC 7517 and 7518 (JWK).
 */
import { checkPrimeSync, createECDH, createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RSA_EXPONENT = 65537n;
/** PKCS#8 of an Ed25519 key, up to its 32 bytes. */
const ED25519_PREFIX = '302e020100300506032b657004220420';

/** Makes the directory; the caller removes it. */
export function makeFixture(): string {
  const dir = mkdtempSync(join(tmpdir(), 'lift64-real-fixture-'));
  const put = (name: string, data: string | Uint8Array): void => {
    writeFileSync(join(dir, name), data);
  };
  put('text', prose(400_000));
  put('long-text', prose(4_000_000));
  put('bytes', mixedBytes(300_000));
  put('long-bytes', mixedBytes(3_000_000));
  put('table', table(4000));
  putKey(put, 'rsa', rsaKey());
  putKey(put, 'ec', ecKey());
  putKey(put, 'ed', ed25519Key());
  return dir;
}

/** xorshift32 in [0, 2^32). */
function generator(seed: number): () => number {
  let x = seed >>> 0;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>>= 0);
  };
}

/** Words of a small vocabulary, so that it compresses as text does. */
function prose(size: number): string {
  const next = generator(0x1f64);
  const vocabulary = Array.from({ length: 3000 }, () => {
    const length = 2 + (next() % 9);
    return Array.from({ length }, () => 'etaoinshrdlucmfwyp'.charAt(next() % 18)).join('');
  });
  const words: string[] = [];
  for (let length = 0; length < size;) {
    // The product of two draws favours the start of the list.
    const word = vocabulary[Math.floor(((next() >>> 16) * (next() >>> 16) * vocabulary.length) / 2 ** 32)] ?? '';
    words.push(words.length % 12 === 11 ? `${word}.\n` : `${word} `);
    length += word.length + 1;
  }
  return words.join('').slice(0, size);
}

/** Runs, counters, noise and copies of what came before, by turns. */
function mixedBytes(size: number): Uint8Array {
  const next = generator(64);
  const out = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const kind = next() % 4;
    const length = Math.min(size - at, 16 + (next() % 4000));
    const [value, back] = [next() & 255, at === 0 ? 0 : 1 + (next() % at)];
    for (let i = 0; i < length; i++, at++)
      out[at] = kind === 0 ? value : kind === 1 ? value + (i >> 3) : kind === 2 ? next() >>> 8 : (out[at - back] ?? 0);
  }
  return out;
}

/** Lines of a key, an integer and a float. */
function table(lines: number): string {
  const next = generator(7);
  return Array.from({ length: lines }, (_, i) => {
    const real = ((next() - 2 ** 31) / 2 ** 31) * 10 ** ((next() % 40) - 20);
    return `k${(i * 7919) % 101} ${next() % 100_000} ${real.toPrecision(12)}\n`;
  }).join('');
}

function putKey(put: (name: string, data: string) => void, name: string, key: KeyObject): void {
  put(`${name}.pem`, key.export({ type: 'pkcs8', format: 'pem' }).toString());
  put(`${name}.pub`, createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString());
}

const bytesFor = (label: string): Buffer => createHash('sha512').update(`lift64 ${label}`).digest();
const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const base64url = (n: bigint): string => {
  const hex = n.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
};

/** The first prime of 1024 bits from the label's hash on, such that the RSA exponent has an inverse. */
function prime(label: string): bigint {
  let n = toBigInt(Buffer.concat([bytesFor(`${label} 1`), bytesFor(`${label} 2`)])) | (3n << 1022n) | 1n;
  while ((n - 1n) % RSA_EXPONENT === 0n || !checkPrimeSync(n)) n += 2n;
  return n;
}

/** The inverse of `a` modulo `m`, by Euclid. */
function inverse(a: bigint, m: bigint): bigint {
  let [r0, r1, t0, t1] = [m, a % m, 0n, 1n];
  while (r1 !== 0n) {
    const q = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - q * r1, t1, t0 - q * t1];
  }
  return ((t0 % m) + m) % m;
}

function rsaKey(): KeyObject {
  const [p, q] = [prime('rsa p'), prime('rsa q')];
  const d = inverse(RSA_EXPONENT, (p - 1n) * (q - 1n));
  const numbers = { n: p * q, e: RSA_EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const jwk = Object.fromEntries(Object.entries(numbers).map(([k, v]) => [k, base64url(v)]));
  return createPrivateKey({ key: { kty: 'RSA', ...jwk }, format: 'jwk' });
}

/** On P-256, whose code in libcrypto is of its own. */
function ecKey(): KeyObject {
  const d = bytesFor('ec').subarray(0, 32);
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(d);
  const point = pair.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((b) => b.toString('base64url'));
  return createPrivateKey({
    key: { kty: 'EC', crv: 'P-256', d: d.toString('base64url'), x: x ?? '', y: y ?? '' },
    format: 'jwk',
  });
}

function ed25519Key(): KeyObject {
  const der = Buffer.concat([Buffer.from(ED25519_PREFIX, 'hex'), bytesFor('ed').subarray(0, 32)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
