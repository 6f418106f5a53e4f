/**
 * Debian's ffmpeg: encoders, decoders, filters and resamplers, in SSE to AVX2 code of their own, over generated pictures and tones; what comes out is compared by its MD5.
 * Data: the rows. Left out: libopus, whose vector search uses RSQRTPS, an approximation that differs from processor to processor.
 */
import type { CodeRow } from './code-row.js';

const FFMPEG = '/usr/bin/ffmpeg';
const QUIET = ['-v', 'error', '-nostdin', '-filter_threads', '1'];
const EXACT = ['-threads', '1', '-flags', '+bitexact', '-fflags', '+bitexact'];
const PICTURES = 'testsrc=size=64x48:rate=10:duration=0.5';
const LARGE_PICTURES = 'testsrc2=size=352x288:rate=25:duration=1';
const TONE = 'sine=frequency=440:sample_rate=44100:duration=0.3';
const NOISE = 'anoisesrc=seed=5:duration=2:color=pink,aformat=channel_layouts=stereo';

const made = (name: string, source: string, options: readonly string[]): CodeRow => ({
  name: `ffmpeg ${name}`,
  package: 'ffmpeg',
  files: [FFMPEG],
  args: [...QUIET, '-f', 'lavfi', '-i', source, ...EXACT, ...options, '-f', 'md5', '-'],
  share: 'long',
});

/** Encodes into a file, decodes it again. */
const roundTrip = (source: string, encoder: string, name: string): CodeRow => ({
  name: `ffmpeg ${encoder} and back`,
  package: 'ffmpeg',
  files: ['/bin/sh', FFMPEG],
  args: [
    '-c',
    `set -e; f="ffmpeg ${QUIET.join(' ')}"
    $f -f lavfi -i ${source} ${EXACT.join(' ')} ${encoder} ${name}; cksum ${name}; $f -threads 1 -i ${name} ${EXACT.join(' ')} -f framemd5 -`,
  ],
  share: 'long',
});

const VIDEO = [
  'mpeg4',
  'mjpeg',
  'ffv1',
  'huffyuv',
  'mpeg2video',
  'libx264',
  'libvpx',
  'libvpx-vp9',
  'libaom-av1',
  'libtheora',
  'prores',
  'png',
  'snow',
  'flv',
  'gif',
  'msmpeg4',
  'jpeg2000',
  'libopenjpeg',
  'libwebp',
  'libxvid',
];
const AUDIO = [
  'aac',
  'ac3',
  'flac',
  'libmp3lame',
  'libvorbis',
  'mp2',
  'pcm_s16le',
  'pcm_f32le',
  'adpcm_ima_wav',
  'alac',
  'wmav2',
  'libtwolame',
  'eac3',
];

export const MEDIA_ROWS: readonly CodeRow[] = [
  ...VIDEO.map((c) => made(c, PICTURES, ['-c:v', c])),
  made('libx265', PICTURES, ['-c:v', 'libx265', '-x265-params', 'log-level=none:pools=1:frame-threads=1']),
  ...AUDIO.map((c) => made(c, TONE, ['-c:a', c])),
  made('scaling, bicubic', PICTURES, ['-vf', 'scale=320:240:flags=bicubic', '-pix_fmt', 'rgb24', '-c:v', 'rawvideo']),
  made('scaling, ten bits', PICTURES, ['-vf', 'scale=33:77:flags=lanczos,format=yuv444p10', '-c:v', 'rawvideo']),
  made('filters', PICTURES, ['-vf', 'hqdn3d,unsharp,yadif,gblur,rotate=0.3,eq=contrast=1.2,fade', '-c:v', 'rawvideo']),
  made('resampling and audio filters', TONE, [
    '-af',
    'aresample=22050,atempo=1.3,lowpass=2000,acompressor,aecho',
    '-c:a',
    'pcm_s16le',
  ]),
  roundTrip(LARGE_PICTURES, '-c:v libx264 -preset medium', 'a.mkv'),
  roundTrip(LARGE_PICTURES, '-c:v libvpx-vp9 -cpu-used 6', 'a.webm'),
  roundTrip(LARGE_PICTURES, '-c:v mpeg2video -q:v 4', 'a.mpg'),
  roundTrip(LARGE_PICTURES, '-c:v ffv1 -level 3', 'a.avi'),
  roundTrip(NOISE, '-c:a aac', 'a.m4a'),
  roundTrip(NOISE, '-c:a libmp3lame', 'a.mp3'),
  roundTrip(NOISE, '-c:a libvorbis', 'a.ogg'),
  roundTrip(NOISE, '-c:a flac', 'a.flac'),
];
