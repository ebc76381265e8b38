export { diskFileSystem } from './disk.ts';
export { FileNotFoundError, type FileSystem } from './file-system.ts';
export { memoryFileSystem } from './memory.ts';
