/** How a pod could not be given a network, or a process in it, with what the system said. */
export class PodNetworkError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PodNetworkError';
  }
}
