/** Types of discovery.v1. The notation is explained in ../notation.ts. */
export const discoveryTypes = `
Endpoint
  addresses! 1 [string] set
  conditions 2 EndpointConditions
  hostname 3 string
  targetRef 4 core.v1.ObjectReference
  deprecatedTopology 5 {string}
  nodeName 6 string
  zone 7 string
  hints 8 EndpointHints
EndpointConditions
  ready 1 bool
  serving 2 bool
  terminating 3 bool
EndpointHints
  forZones 1 [ForZone]
EndpointPort
  name 1 string
  protocol 2 string
  port 3 int32
  appProtocol 4 string
EndpointSlice object | Some of the addresses behind a Service.
  metadata 1 meta.v1.ObjectMeta | Name, namespace, labels, annotations and what the server keeps about the object.
  addressType! 4 string | IPv4, IPv6 or FQDN. Cannot be changed.
  endpoints! 2 [Endpoint] | The addresses, and the condition of each.
  ports 3 [EndpointPort] | The ports of every address.
ForZone
  name 1 string
`;
