/** SL4xxx: the embedded cluster, its ports and its pods. The value is the code's title. */
export const clusterCodes = {
  SL4001: 'The port is held by another process',
} as const;
