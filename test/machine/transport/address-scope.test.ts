import t from 'tap'
import { addressScope } from '../../../src/machine/transport/address-scope.ts'

t.test('how far an address reaches', async (t) => {
  const scopes = {
    loopback: [
      '/ip4/127.0.0.1/tcp/1',
      '/ip4/127.255.255.254/tcp/1',
      '/ip4/0.0.0.0/tcp/1',
      '/ip4/0.1.2.3/tcp/1',
      '/ip6/::1/tcp/1',
      '/ip6/::/tcp/1',
      '/ip6/::ffff:127.0.0.1/tcp/1',
      '/ip6/::ffff:7f00:1/tcp/1',
      '/ip6/::FFFF:7F00:1/tcp/1',
      '/ip6/::127.0.0.1/tcp/1',
    ],
    lan: [
      '/ip4/10.0.0.1/tcp/1',
      '/ip4/172.16.0.1/tcp/1',
      '/ip4/172.31.255.255/tcp/1',
      '/ip4/192.168.0.1/tcp/1',
      '/ip4/169.254.1.1/tcp/1',
      '/ip4/100.64.0.1/tcp/1',
      '/ip6/fe80::1/tcp/1',
      '/ip6/febf::1/tcp/1',
      '/ip6/fc00::1/tcp/1',
      '/ip6/fdff::1/tcp/1',
      '/ip6/::ffff:c0a8:101/tcp/1',
      '/ip6/::ffff:192.168.1.1/tcp/1',
    ],
    public: [
      '/ip4/8.8.8.8/tcp/1',
      '/ip4/172.15.0.1/tcp/1',
      '/ip4/172.32.0.1/tcp/1',
      '/ip4/192.169.0.1/tcp/1',
      '/ip4/100.63.0.1/tcp/1',
      '/ip4/100.128.0.1/tcp/1',
      '/ip4/224.0.0.251/tcp/1',
      '/ip6/2001:db8::1/tcp/1',
      '/ip6/fec0::1/tcp/1',
      '/ip6/::ffff:8.8.8.8/tcp/1',
      '/ip6/::ffff:808:808/tcp/1',
      '/dns4/localhost/tcp/1',
      '/dns/home.example/tcp/1',
      '',
    ],
  }
  for (const [scope, addresses] of Object.entries(scopes)) {
    for (const address of addresses) t.equal(addressScope(address), scope, address)
  }
})
