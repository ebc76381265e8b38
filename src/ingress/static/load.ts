/** The one source of the static configuration: a file, else the command line, else the environment, as in Traefik. */

import { join } from 'node:path';
import { type Diagnostic, DiagnosticError } from '../../diagnostics/index.ts';
import type { FileSystem } from '../../files/index.ts';
import {
  type LocatedArgument,
  type OptionValue,
  optionsOfArguments,
  optionsOfEnvironment,
  optionsOfFile,
} from './option-sources.ts';
import { readStaticOptions, type StaticConfiguration } from './static-configuration.ts';

export interface StaticSources {
  readonly arguments: readonly LocatedArgument[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: FileSystem;
  /** Absolute. */
  readonly workingDirectory: string;
}

export interface LoadedConfiguration {
  readonly configuration: StaticConfiguration;
  /** The file it was read from, absolute; undefined where it was not read from a file. */
  readonly file: string | undefined;
  /** For logs: `arguments`, `environment`, the file, or `nothing`. */
  readonly source: string;
}

/** Never throws: a file that cannot be read is an error in the configuration's diagnostics. */
export function loadStaticConfiguration(sources: StaticSources): LoadedConfiguration {
  const fromArguments = optionsOfArguments(sources.arguments);
  const fromEnvironment = optionsOfEnvironment(sources.env);
  const named = configFileOf(fromArguments) ?? configFileOf(fromEnvironment);
  const file = named ? join(absoluteBase(named.value, sources), named.value) : findDefaultFile(sources);
  const others = (values: readonly OptionValue[]) => values.filter((value) => !isConfigFile(value));
  if (file) {
    const unread = [...others(fromArguments), ...others(fromEnvironment)];
    return { configuration: readFileConfiguration(file, sources.files, unread), file, source: file };
  }
  if (fromArguments.length > 0) {
    const read = readStaticOptions(fromArguments);
    const diagnostics = [...read.diagnostics, ...unreadSource(fromEnvironment, 'arguments')];
    return { configuration: { ...read, diagnostics }, file: undefined, source: 'arguments' };
  }
  const source = fromEnvironment.length > 0 ? 'environment' : 'nothing';
  return { configuration: readStaticOptions(fromEnvironment), file: undefined, source };
}

/** The file again. Throws `DiagnosticError` where it cannot be used, so that the configuration before it stays. */
export function reloadStaticConfiguration(file: string, files: FileSystem): StaticConfiguration {
  const configuration = readFileConfiguration(file, files, []);
  const errors = configuration.diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new DiagnosticError(errors);
  return configuration;
}

function readFileConfiguration(
  file: string,
  files: FileSystem,
  unread: readonly OptionValue[],
): StaticConfiguration {
  let text: string;
  try {
    text = new TextDecoder().decode(files.read(file));
  } catch {
    const message = 'the configuration file cannot be read';
    const diagnostic: Diagnostic = {
      code: 'SL1001',
      severity: 'error',
      message: `${message}: ${file}`,
      position: { file, line: 1, column: 1 },
    };
    return { ...readStaticOptions([]), diagnostics: [diagnostic] };
  }
  const { values, diagnostics } = optionsOfFile(text, file);
  const read = readStaticOptions(values);
  return { ...read, diagnostics: [...diagnostics, ...read.diagnostics, ...unreadSource(unread, file)] };
}

function unreadSource(unread: readonly OptionValue[], source: string): Diagnostic[] {
  const [first] = unread;
  if (!first) return [];
  const more = unread.length > 1 ? ` and ${unread.length - 1} more` : '';
  return [
    {
      code: 'SL3004',
      severity: 'warning',
      message: `${first.written}${more} is not read: the configuration comes from ${source}`,
      position: first.position,
      hint: 'File, arguments and environment exclude each other, as in Traefik: write everything in one of them.',
    },
  ];
}

const isConfigFile = ({ words }: OptionValue) =>
  words.length === 1 && words[0]?.toLowerCase() === 'configfile';

function configFileOf(values: readonly OptionValue[]): OptionValue | undefined {
  return values.findLast(isConfigFile);
}

function absoluteBase(path: string, { workingDirectory }: StaticSources): string {
  return path.startsWith('/') ? '/' : workingDirectory;
}

/** Where Traefik looks when no file is named. */
function findDefaultFile({ env, files, workingDirectory }: StaticSources): string | undefined {
  const home = env.HOME ? join(env.HOME, '.config') : undefined;
  const directories = ['/etc/traefik', env.XDG_CONFIG_HOME ?? home, workingDirectory];
  return directories
    .flatMap((directory) =>
      directory ? ['toml', 'yaml', 'yml'].map((end) => join(directory, `traefik.${end}`)) : [],
    )
    .find((path) => files.kind(path) === 'file');
}
