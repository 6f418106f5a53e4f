/** Guest programs under --tier interp. */
import { describePrograms } from './programs.js';

describePrograms('interp');
