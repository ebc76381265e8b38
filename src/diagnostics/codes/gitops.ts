/** SL2xxx: Argo CD Applications, chart values and sluice.yaml. The value is the code's title. */
export const gitopsCodes = {
  SL2001: 'The Application is not valid',
} as const;
