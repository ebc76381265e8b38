import { ApiError, type Condition, type Node, nodes, type ObjectApi } from '../../kubernetes/index.ts';

export interface NodeDescription {
  readonly name: string;
  /** INTERNAL-IP of `kubectl get nodes -o wide`. */
  readonly internalIp: string;
  /** The range pods get their addresses from, as `10.244.0.0/24`. */
  readonly podCidr: string;
  /** VERSION of `kubectl get nodes`. Without a blank: scripts count columns. */
  readonly kubeletVersion: string;
  /** As `cpu`, `memory` (with a unit), `pods`. */
  readonly capacity: Readonly<Record<string, string>>;
  /** `osImage`, `kernelVersion` and the like, where the defaults do not fit. */
  readonly nodeInfo?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly now?: () => Date;
}

/** Creates the Node, or brings the one of an earlier run up to date, Ready and schedulable. */
export async function registerNode(api: ObjectApi, description: NodeDescription): Promise<Node> {
  const wanted = describeNode(description);
  try {
    return await api.create(nodes, wanted);
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
  }
  const present = await api.get(nodes, undefined, description.name);
  const updated = await api.update(nodes, {
    ...present,
    metadata: { ...present.metadata, labels: { ...present.metadata.labels, ...wanted.metadata.labels } },
    spec: { ...present.spec, ...wanted.spec },
  });
  return api.updateStatus(nodes, { ...updated, ...(wanted.status ? { status: wanted.status } : {}) });
}

function describeNode(description: NodeDescription): Node {
  const { name, internalIp, podCidr, kubeletVersion, capacity, now = () => new Date() } = description;
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': os,
        'kubernetes.io/arch': architecture,
        'node-role.kubernetes.io/control-plane': '',
        ...description.labels,
      },
    },
    spec: { podCIDR: podCidr, podCIDRs: [podCidr] },
    status: {
      addresses: [
        { type: 'InternalIP', address: internalIp },
        { type: 'Hostname', address: name },
      ],
      capacity: { ...capacity },
      allocatable: { ...capacity },
      conditions: nodeConditions(now()),
      nodeInfo: {
        architecture,
        operatingSystem: os,
        kernelVersion: '',
        osImage: 'sluice',
        containerRuntimeVersion: 'sluice://processes',
        kubeletVersion,
        kubeProxyVersion: kubeletVersion,
        bootID: '',
        machineID: '',
        systemUUID: '',
        ...description.nodeInfo,
      },
    },
  };
}

/** https://kubernetes.io/docs/reference/node/node-status/#condition */
function nodeConditions(date: Date): Condition[] {
  const time = `${date.toISOString().slice(0, 19)}Z`;
  const condition = (type: string, status: 'True' | 'False', reason: string, message: string) => ({
    type,
    status,
    lastHeartbeatTime: time,
    lastTransitionTime: time,
    reason,
    message,
  });
  return [
    condition(
      'MemoryPressure',
      'False',
      'KubeletHasSufficientMemory',
      'kubelet has sufficient memory available',
    ),
    condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
  ];
}
