/** Starts the bundle beside this file. scripts/bundle.js copies it to dist/bundles/NAME/. */
'use strict';
require('../load.cjs').load(__dirname, require);
