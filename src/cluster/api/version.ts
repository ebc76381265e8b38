/** What `kubectl version` prints of the server: the Kubernetes version whose API this is. */
export const apiVersion = {
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.0+sluice',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '',
  goVersion: '',
  compiler: '',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};
