export { type LocatedDocument, type ReadYaml, readLocatedYaml, type YamlPath } from './located.ts';
