/** SL2xxx: Argo CD Applications, chart values and sluice.yaml. The value is the code's title. */
export const gitopsCodes = {
  SL2001: 'The Application is not valid',
  SL2002: 'The Application uses a field that is not supported',
  SL2003: 'The path of the Application is not in the tree',
  SL2004: 'The chart is not one that sluice knows',
  SL2005: 'The chart values do not do what they say',
  SL2006: 'sluice.yaml is not valid',
  SL2007: 'Nothing to bring up was found',
  SL2008: 'The same object is declared twice',
  SL2009: 'A program is not on this machine',
} as const;
