/** Guest programs under --tier auto. */
import { describePrograms } from './programs.js';

describePrograms('auto');
