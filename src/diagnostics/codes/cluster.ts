/** SL4xxx: the embedded cluster, its ports and its pods. The value is the code's title. */
export const clusterCodes = {
  SL4001: 'The port is held by another process',
  SL4002: 'Two Services ask for the same node port',
  SL4003: 'The object was refused by the API',
  SL4004: 'The command line is not valid',
  SL4040: 'The state on disk is damaged',
  SL4041: 'The state directory is in use by another sluice',
  SL4050: 'No cluster is running here',
  SL4051: 'There is no kubectl',
} as const;
