import { FileNotFoundError, type FileSystem } from './file-system.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Files held in memory, keyed by absolute path. There are no links: every path is its own real path. */
export function memoryFileSystem(files: Readonly<Record<string, string | Uint8Array>>): FileSystem {
  const contents = new Map<string, Uint8Array>();
  const directories = new Map<string, Set<string>>([['/', new Set()]]);
  for (const [path, content] of Object.entries(files)) {
    contents.set(path, typeof content === 'string' ? new TextEncoder().encode(content) : content);
    addToParents(directories, path);
  }
  const kind: FileSystem['kind'] = (path) => {
    if (contents.has(path)) return 'file';
    return directories.has(path) ? 'directory' : undefined;
  };
  return {
    kind,
    entries(path) {
      const names = [...(directories.get(path) ?? notFound(path))];
      return new Map(
        names.map((name) => [name, kind(path === '/' ? `/${name}` : `${path}/${name}`) ?? 'file']),
      );
    },
    read: (path) => contents.get(path) ?? notFound(path),
    readText: (path) => decoder.decode(contents.get(path) ?? notFound(path)),
    list: (path) => [...(directories.get(path) ?? notFound(path))].sort(),
    realPath: (path) => (kind(path) ? path : notFound(path)),
  };
}

function addToParents(directories: Map<string, Set<string>>, path: string): void {
  for (let child = path; child !== '/'; ) {
    const cut = child.lastIndexOf('/');
    const parent = child.slice(0, cut) || '/';
    const names = directories.get(parent) ?? new Set<string>();
    names.add(child.slice(cut + 1));
    directories.set(parent, names);
    child = parent;
  }
}

function notFound(path: string): never {
  throw new FileNotFoundError(path);
}
