/** Entry of the AssemblyScript core. In: nothing. Out: everything that the engine and the compiled regions import. */
export * from './gen/core';
