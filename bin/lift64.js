#!/usr/bin/env node
import '../dist/bundles/flags.cjs';
import '../dist/bundles/cli/main.cjs';
