import CarrierProtocol
import ZeroMQ

/// Over which connection each peer speaks, by the connections' descriptors: as many entries as there are descriptors.
struct ListenerConnections {
  private var all: [Int32: (peer: MailboxServer.Peer, connection: Connection)] = [:]

  /// Answers the peer whose connection had the descriptor before, and has ended.
  mutating func note(_ peer: MailboxServer.Peer, over frame: Frame) -> MailboxServer.Peer? {
    let descriptor = frame.descriptor
    let known = all[descriptor]?.peer
    if known == peer { return nil }
    all[descriptor] = frame.connection.map { (peer, $0) }
    return known
  }

  /// Ends the connections of all peers for which `isOver` holds, and answers which they were.
  mutating func cut(where isOver: (MailboxServer.Peer) -> Bool) -> [MailboxServer.Peer] {
    var peers: [MailboxServer.Peer] = []
    for (descriptor, entry) in all where isOver(entry.peer) {
      entry.connection.shutDown()
      all[descriptor] = nil
      peers.append(entry.peer)
    }
    return peers
  }
}
