/** Guest programs under --tier compiled. */
import { describePrograms } from './programs.js';

describePrograms('compiled');
