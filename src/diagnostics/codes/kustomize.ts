/** SL1xxx: reading YAML and kustomization directories. The value is the code's title. */
export const kustomizeCodes = {
  SL1001: 'The directory or file does not exist',
  SL1002: 'The YAML cannot be parsed',
  SL1003: 'The kustomization has a field that is not known',
} as const;
