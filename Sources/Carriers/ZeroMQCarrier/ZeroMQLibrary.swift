package import ZeroMQ

/// The library that the transport stands on.
package enum ZeroMQLibrary {
  /// Throws where the one that is loaded is too old to be safe, or cannot encrypt.
  package static func require() throws(ZeroMQError) {
    try Libzmq.requireVersion()
    try Libzmq.requireCurve()
  }
}
