import CarrierProtocol
import ZeroMQ

/// The addresses of a carrier, each in its turn. A name is resolved anew for every attempt: it may lead elsewhere by then.
struct AddressRotation {
  struct Turn {
    let address: ResolvedEndpoint
    /// There is no other.
    let isOnly: Bool
  }

  private let endpoint: String
  private var tried: Set<String> = []
  private var current: ResolvedEndpoint?
  /// Where there was a connection last.
  private var good: ResolvedEndpoint?
  /// Some have not had their turn since there was a connection, or since all had it.
  private(set) var hasMore = false

  init(_ endpoint: String) { self.endpoint = endpoint }

  /// As it is told of: with the address that is being tried.
  var description: String { current?.description ?? endpoint }

  mutating func next() throws(CarrierError) -> Turn {
    (current, hasMore) = (nil, false)
    let all: [ResolvedEndpoint]
    do { all = try ResolvedEndpoint.all(of: endpoint) } catch {
      throw .faulty(endpoint: endpoint, error)
    }
    var left = all.filter { !tried.contains($0.address) }
    if left.isEmpty { (tried, left) = ([], all) }
    let chosen = left.first { $0 == good } ?? left[0]
    tried.insert(chosen.address)
    (current, hasMore) = (chosen, left.count > 1)
    return Turn(address: chosen, isOnly: all.count == 1)
  }

  mutating func connected() { (good, tried, hasMore) = (current, [], false) }
}
