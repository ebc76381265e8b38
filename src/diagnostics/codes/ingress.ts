/** SL3xxx: entry points and routes. The value is the code's title. */
export const ingressCodes = {
  SL3001: 'The entry point address is not valid',
} as const;
