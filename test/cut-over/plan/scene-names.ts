/** What the world is like before a request of the plan; what is in braces can be named in the request. */
export const SCENES = [
  /** An account that holds nothing, {region}, and a {droplet} in it. */
  'nothing',
  /** A reserved address {ip} with the {action} by which it was reserved, and a {droplet} of its region. */
  'a reserved address',
  /** The same, of a project. */
  'a reserved address of a project',
  /** An {ip} on its {droplet}, by {action}, and an {other_droplet} of the region. */
  'an assigned address',
  /** An {ip} that has been on a {droplet} and is not any more, by {action}. */
  'an unassigned address',
  /** An {ip} whose host does not answer to {action}, on its way to {droplet}, and an {other_droplet}. */
  'an address with a pending event',
  /** An {ip} on {droplet}, on its way to {other_droplet}; the host does not answer. */
  'an address that is being moved',
  /** An {ip} whose assign {action} has failed, because the host of {droplet} rejected it. */
  'an address whose assign failed',
  /** A reserved {ip}, and a {droplet} that another address is on its way to. */
  'a droplet with a pending event',
  /** A reserved {ip}, and a {droplet} that another address is on. */
  'a droplet with another address',
  /** A reserved {ip}, and a {droplet} on a host that is out of service. */
  'a droplet on a gone host',
  /** An {ip} on a {droplet} whose host is out of service. */
  'an address on a gone host',
  /** A reserved {ip} in {region}, and a {droplet} in {other_region}. */
  'a droplet in another region',
  /** A reserved {ip}, and a {droplet} of somebody else. */
  'a droplet of another account',
  /** A reserved {ip}, and a {droplet} that was destroyed. */
  'a destroyed droplet',
  /** Somebody else's {ip} with its {action}, and an own {droplet}. */
  'an address of another account',
  /** An {ip} that was given back, with its {action}, and a {droplet}. */
  'a released address',
  /** An {ip} that was given back while it was on a {droplet}, whose host does not answer. */
  'an address being released',
  /** An {ip} in the pool that nobody holds. */
  'a free address',
  /** An {ip} and {other_ip}, whose reserve action is {other_action}. */
  'two addresses',
  /** An account that may hold one address and does, and a {droplet}. */
  'the limit reached',
  /** A {region} without a free address, and a {droplet} in it. */
  'the pool exhausted',
  /** 25 addresses; {ip} is the first. */
  'many addresses',
  /** An {ip} with five actions. */
  'an address with a history',
  /** An IPv6 {ip} of the account, and a {droplet}. */
  'an IPv6 address',
] as const;
export type SceneName = (typeof SCENES)[number];
