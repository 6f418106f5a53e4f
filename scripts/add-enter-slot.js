/**
 * Adds `enterSlot` to the core: AssemblyScript has no tail calls. In: the core as asc has written it. Out: the same file with that function.
 * Its type and use: backend-wasm/compiler/module-parts.ts, enterSlot.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import binaryen from 'binaryen';
import { FEATURES } from '../dist/backend-wasm/compiler/module.js';

const [, , file] = process.argv;
// Keeps the names of functions.
binaryen.setDebugInfo(true);
const m = binaryen.readBinary(readFileSync(file));
m.setFeatures(FEATURES);
const { i32, i64, createType } = binaryen;
const [cpu, budget, slot] = [0, 1, 2].map((i) => m.local.get(i, i32));
const { name: table } = binaryen.getTableInfo(m.getTableByIndex(0));
const enter = m.return_call_indirect(table, slot, [cpu, budget], createType([i32, i32]), i64);
m.addFunction('enterSlot', createType([i32, i32, i32]), i64, [], m.block(null, [enter]));
m.addFunctionExport('enterSlot', 'enterSlot');
if (!m.validate()) process.exit(1);
writeFileSync(file, m.emitBinary());
