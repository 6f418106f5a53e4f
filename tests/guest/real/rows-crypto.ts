/** OpenSSL's code: the command's digests, ciphers, signatures and primes; libcrypto itself, called from Python through libffi. Data: the rows. */
import type { CodeRow } from './code-row.js';

const OPENSSL = '/usr/bin/openssl';
const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const IV = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';

/** Ciphers of libcrypto with a fixed key, in pieces of odd length; what decrypts must be what was encrypted. */
const EVP = `
import ctypes, hashlib, sys
from ctypes import byref, c_int, c_void_p
C = ctypes.CDLL("libcrypto.so.3")
for f in ("EVP_CIPHER_CTX_new", "EVP_CIPHER_fetch"):
    getattr(C, f).restype = c_void_p
SET_TAG, GET_TAG = 0x11, 0x10
def crypt(name, data, encrypt, tag=None):
    cipher, ctx = c_void_p(C.EVP_CIPHER_fetch(None, name.encode(), None)), c_void_p(C.EVP_CIPHER_CTX_new())
    assert C.EVP_CipherInit_ex(ctx, cipher, None, bytes(range(64)), bytes(range(64, 80)), encrypt) == 1, name
    out, n, total = ctypes.create_string_buffer(len(data) + 64), c_int(), 0
    aead = any(m in name for m in ("GCM", "OCB", "Poly"))
    if tag:
        assert C.EVP_CIPHER_CTX_ctrl(ctx, SET_TAG, 16, tag) == 1
    if aead:
        assert C.EVP_CipherUpdate(ctx, None, byref(n), b"header", 6) == 1
    for at in range(0, len(data), 100003):
        part = data[at:at + 100003]
        assert C.EVP_CipherUpdate(ctx, byref(out, total), byref(n), part, len(part)) == 1
        total += n.value
    ok = C.EVP_CipherFinal_ex(ctx, byref(out, total), byref(n))
    total += n.value
    made = ctypes.create_string_buffer(16)
    if aead and encrypt:
        assert C.EVP_CIPHER_CTX_ctrl(ctx, GET_TAG, 16, made) == 1
    return out.raw[:total], made.raw if aead else None, ok
data = open(sys.argv[1], "rb").read()
for name in sys.argv[2:]:
    secret, tag, ok = crypt(name, data, 1)
    plain, _, ok2 = crypt(name, secret, 0, tag)
    print(name, ok, ok2, hashlib.sha256(secret).hexdigest(), tag and tag.hex(), plain == data)
    if tag:
        print(crypt(name, secret, 0, bytes(16))[2])
for name in sorted(hashlib.algorithms_available - {"shake_128", "shake_256"}):
    h = hashlib.new(name)
    for at in range(0, len(data), 65537):
        h.update(data[at:at + 65537])
    print(name, h.hexdigest())
print(hashlib.shake_256(data).hexdigest(99), hashlib.scrypt(b"pass", salt=b"salt", n=256, r=8, p=1).hex())
print(hashlib.pbkdf2_hmac("sha512", b"pass", b"salt", 500).hex())`;
const LIBCRYPTO = {
  package: 'python3',
  files: ['/usr/bin/python3', '/usr/lib/x86_64-linux-gnu/libcrypto.so.3'],
} as const;
const COMMON = ['AES-128-GCM', 'AES-256-CTR', 'AES-128-CBC', 'ChaCha20', 'ChaCha20-Poly1305'];
const FURTHER = [
  'AES-256-GCM',
  'AES-192-CBC',
  'AES-128-OCB',
  'AES-256-XTS',
  'AES-128-CFB8',
  'CAMELLIA-128-CBC',
  'ARIA-128-GCM',
  'SM4-CTR',
  'DES-EDE3-CBC',
];

/** Signs with a fixed key, verifies, and finds a wrong signature out. PSS and ECDSA draw random numbers: their signatures aren't printed. */
const signAndVerify = (key: string, options: string, print: boolean): string => `
openssl pkeyutl -sign -inkey {fix}/${key}.pem -rawin ${options} -in {fix}/table -out s && ${print ? 'openssl base64 -in s &&' : ''}
openssl pkeyutl -verify -pubin -inkey {fix}/${key}.pub -rawin ${options} -in {fix}/table -sigfile s
openssl pkeyutl -verify -pubin -inkey {fix}/${key}.pub -rawin ${options} -in {fix}/text -sigfile s; echo $?`;

/** X25519 and P-256: with the own public key as the peer's, the result is fixed. */
const DERIVE = `
openssl pkeyutl -derive -inkey {fix}/ec.pem -peerkey {fix}/ec.pub | od -An -tx1
printf '\\060\\056\\002\\001\\000\\060\\005\\006\\003\\053\\145\\156\\004\\042\\004\\040%032d' 7 | openssl pkey -inform DER -out x.pem
openssl pkey -in x.pem -pubout -out x.pub; openssl pkeyutl -derive -inkey x.pem -peerkey x.pub | od -An -tx1`;
const KDF = `
openssl kdf -keylen 40 -kdfopt digest:SHA256 -kdfopt pass:secret -kdfopt salt:NaCl -kdfopt iter:2000 PBKDF2
openssl kdf -keylen 40 -kdfopt digest:SHA512 -kdfopt key:secret -kdfopt salt:NaCl -kdfopt info:label HKDF
openssl kdf -keylen 40 -kdfopt pass:secret -kdfopt salt:NaCl -kdfopt n:1024 -kdfopt r:8 -kdfopt p:2 SCRYPT`;

/** The thread's id, in front of errors. */
const THREAD = /^[0-9A-F]{16}(?=:error:)/gm;

const shell = (name: string, script: string, share: CodeRow['share']): CodeRow => ({
  name,
  package: 'openssl',
  files: ['/bin/sh', OPENSSL],
  args: ['-c', script],
  scrub: THREAD,
  share,
});

const DIGESTS = [
  'md5',
  'sha1',
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'sha3-256',
  'sha3-512',
  'blake2s256',
  'blake2b512',
  'sm3',
  'ripemd160',
];
/** Cipher, bytes of its key and of its initial vector. */
const CIPHERS = [
  ['aes-128-cbc', 16, 16],
  ['aes-256-ctr', 32, 16],
  ['aes-192-ofb', 24, 16],
  ['chacha20', 32, 16],
  ['camellia-256-cbc', 32, 16],
  ['sm4-cbc', 16, 16],
  ['des-ede3-cbc', 24, 8],
] as const;
const encrypt = ([cipher, key, iv]: (typeof CIPHERS)[number]): string => `
options="-${cipher} -K ${KEY.slice(0, 2 * key)} -iv ${IV.slice(0, 2 * iv)}"
openssl enc -e $options -in {fix}/long-bytes -out e; openssl enc -d $options -in e | cmp - {fix}/long-bytes; cat e`;
/** Primes, numbers with two large factors, and Carmichael numbers. */
const PRIMES = [
  '170141183460469231731687303715884105727',
  '170141183460469231731687303715884105729',
  '561',
  '294409',
  '56052361',
  '118901509',
  '340282366920938463463374607431768211297',
  '6864797660130609714981900799081393217269435300143305409394463459185543183397656052122559640661454554977296311391480858037121987999716643812574028291115057151',
];

export const CRYPTO_ROWS: readonly CodeRow[] = [
  {
    name: 'libcrypto: ciphers and digests',
    ...LIBCRYPTO,
    args: ['-c', EVP, '{fix}/bytes', ...COMMON],
    share: 'test',
  },
  {
    name: 'libcrypto: all ciphers and digests, over megabytes',
    ...LIBCRYPTO,
    args: ['-c', EVP, '{fix}/long-bytes', ...COMMON, ...FURTHER],
    share: 'long',
  },
  ...DIGESTS.map((d): CodeRow => ({
    name: `openssl dgst -${d}`,
    package: 'openssl',
    files: [OPENSSL],
    args: ['dgst', `-${d}`, '{fix}/long-bytes'],
    share: 'long',
  })),
  ...CIPHERS.map((c) => shell(`openssl enc -${c[0]}`, encrypt(c), 'long')),
  shell('openssl: RSA, PKCS 1', signAndVerify('rsa', '-digest sha256', true), 'test'),
  shell('openssl: RSA, PSS', signAndVerify('rsa', '-digest sha512 -pkeyopt rsa_padding_mode:pss', false), 'long'),
  shell('openssl: ECDSA on P-256', signAndVerify('ec', '-digest sha384', false), 'test'),
  shell('openssl: Ed25519', signAndVerify('ed', '', true), 'long'),
  shell('openssl prime', `openssl prime ${PRIMES.join(' ')}`, 'test'),
  shell('openssl: keys as text', 'for k in rsa ec ed; do openssl pkey -in {fix}/$k.pem -text -noout; done', 'long'),
  shell('openssl: key agreement', DERIVE, 'long'),
  shell('openssl kdf', KDF, 'long'),
];
