/// A chunk on its way to many readers, in memory once: in the form that a transport first makes of its bytes, and shares
/// from then on. Belongs to one thread.
package final class SharedChunk {
  private enum Form {
    case bytes([UInt8])
    case transport(AnyObject)
  }

  private var form: Form

  package init(_ bytes: [UInt8]) { form = .bytes(bytes) }

  /// The transport's own form, made by `make` the first time; the bytes are not kept. One transport alone may ask.
  package func form<Own: AnyObject>(_ make: ([UInt8]) -> Own) -> Own {
    switch form {
    case .bytes(let bytes):
      let own = make(bytes)
      form = .transport(own)
      return own
    case .transport(let object):
      guard let own = object as? Own else { preconditionFailure("a chunk has one transport") }
      return own
    }
  }

  /// `nil`: a transport has made something else of them.
  package var bytes: [UInt8]? { if case .bytes(let bytes) = form { bytes } else { nil } }
}
