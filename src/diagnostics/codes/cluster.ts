/** SL4xxx: the embedded cluster, its ports and its pods. The value is the code's title. */
export const clusterCodes = {
  SL4001: 'The port is held by another process',
  SL4002: 'Two Services ask for the same node port',
  SL4003: 'The object was refused by the API',
} as const;
