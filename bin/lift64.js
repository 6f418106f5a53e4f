#!/usr/bin/env node
import '../dist/bundles/cli/main.cjs';
