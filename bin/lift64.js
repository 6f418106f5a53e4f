#!/usr/bin/env node
'use strict';
require('../dist/bundles/cli/main.cjs');
