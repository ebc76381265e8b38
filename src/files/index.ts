export { diskFileSystem } from './disk.ts';
export { type EntryKind, FileNotFoundError, type FileSystem } from './file-system.ts';
export { memoryFileSystem } from './memory.ts';
