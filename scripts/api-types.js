/**
 * The package's types as one file. In: dist/src/api.d.ts and the declarations that it takes from others, as tsc has written them. Out: dist/src/api.d.ts with all of them in it, so that what a user's editor
 * opens is all there is, and depends on @types/node alone.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

/** Declarations, imports and re-exports of a file by name. */
class Source {
  constructor(path) {
    this.path = path;
    this.file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023, true);
    /** Name to statement. */
    this.declared = new Map();
    /** Name here to the module that it comes from, and its name there. */
    this.imported = new Map();
    /** The same for `export ... from`. */
    this.passedOn = new Map();
    for (const s of this.file.statements) this.enter(s);
  }

  enter(s) {
    if (ts.isImportDeclaration(s)) {
      const bindings = s.importClause?.namedBindings;
      if (bindings === undefined || !ts.isNamedImports(bindings)) throw new Error(`${this.path}: ${s.getText()}`);
      this.enterNames(s.moduleSpecifier.text, bindings.elements, this.imported);
    } else if (ts.isExportDeclaration(s)) {
      if (s.exportClause === undefined) throw new Error(`${this.path}: ${s.getText()}`);
      if (s.moduleSpecifier !== undefined)
        this.enterNames(s.moduleSpecifier.text, s.exportClause.elements, this.passedOn);
    } else {
      const names = ts.isVariableStatement(s) ? s.declarationList.declarations.map((d) => d.name) : [s.name];
      for (const name of names) this.declared.set(name.text, s);
    }
  }

  enterNames(module, elements, to) {
    for (const e of elements) to.set(e.name.text, { module, name: (e.propertyName ?? e.name).text });
  }
}

/** Text of one file with all that `entry` exports. */
export function joinTypes(entry) {
  const sources = new Map();
  const sourceOf = (path) => {
    if (!sources.has(path)) sources.set(path, new Source(path));
    return sources.get(path);
  };
  const chunks = [];
  /** Statements that are there already; names, of which there may be one each. */
  const seen = new Set();
  const owners = new Map();
  const builtin = new Map();

  const take = (source, name, exported) => {
    const from = source.passedOn.get(name) ?? source.imported.get(name);
    if (from !== undefined) {
      if (from.module.startsWith('.'))
        take(sourceOf(resolve(dirname(source.path), from.module.replace(/\.js$/, '.d.ts'))), from.name, exported);
      else builtin.set(name, from.module);
      return;
    }
    const statement = source.declared.get(name);
    if (statement === undefined || seen.has(statement)) return;
    if (owners.has(name)) throw new Error(`${name} is declared in ${owners.get(name)} and ${source.path}`);
    seen.add(statement);
    owners.set(name, source.path);
    chunks.push(textOf(source, statement, exported(name)));
    const visit = (node) => {
      if (ts.isIdentifier(node)) take(source, node.text, exported);
      ts.forEachChild(node, visit);
    };
    visit(statement);
  };

  const main = sourceOf(entry);
  const names = [...main.file.statements]
    .filter((s) => s.modifiers?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword))
    .map((s) => s.name.text);
  const all = [...names, ...main.passedOn.keys()];
  for (const name of all) take(main, name, (n) => all.includes(n));

  const modules = new Map();
  for (const [name, module] of builtin) modules.set(module, [...(modules.get(module) ?? []), name]);
  const imports = [...modules].map(([module, list]) => `import type { ${list.join(', ')} } from '${module}';\n`);
  return `${imports.join('')}\n${chunks.join('\n')}\nexport {};\n`;
}

/** A declaration with the comment right above it, and without `export` where the package does not export it. */
function textOf(source, statement, exported) {
  const text = source.file.text;
  const comments = (ts.getLeadingCommentRanges(text, statement.pos) ?? []).filter((c) => c.pos > 0);
  const last = comments.at(-1);
  const body = statement.getText().replace(/^export (declare )?/, '');
  const kind = /^(interface|type) /.test(body) ? '' : 'declare ';
  const comment = last === undefined ? '' : `${text.slice(last.pos, last.end)}\n`;
  return `${comment}${exported ? 'export ' : ''}${kind}${body.replace(/^declare /, '')}\n`;
}

/** Writes the joined file over tsc's. */
export function writeApiTypes(root) {
  const entry = join(root, 'dist', 'src', 'api.d.ts');
  // tsc leaves out the docstring of a file whose first statement is left out.
  const [docstring] = /^\/\*\*[^]*?\*\/\n/.exec(readFileSync(join(root, 'src', 'api.ts'), 'utf8'));
  writeFileSync(entry, docstring + joinTypes(entry));
}
