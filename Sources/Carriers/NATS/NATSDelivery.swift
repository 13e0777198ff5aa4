/// A message of a consumer.
package struct NATSDelivery: Sendable {
  /// `nil` where there are more than the limit.
  package let bytes: [UInt8]?
  /// Where it is acknowledged.
  package let reply: String

  init(bytes: [UInt8]?, reply: String) { (self.bytes, self.reply) = (bytes, reply) }

  /// Its number in the stream, and that of this delivery of the consumer's; `nil`: no consumer has sent it.
  ///
  /// `$JS.ACK.STREAM.CONSUMER.COUNT.NUMBER.DELIVERY.TIME.PENDING`, with a domain and an account's hash before the stream,
  /// and a random word at the end, where the server has a domain (ADR-15).
  package var numbers: (stream: UInt64, delivery: UInt64)? {
    let words = reply.split(separator: ".", omittingEmptySubsequences: false)
    guard words.count == 9 || words.count >= 11 else { return nil }
    let first = words.count == 9 ? 5 : 7
    guard let stream = UInt64(words[first]), let delivery = UInt64(words[first + 1]) else {
      return nil
    }
    return (stream, delivery)
  }
}
