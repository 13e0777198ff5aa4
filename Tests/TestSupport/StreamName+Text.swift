package import MessageFormat

extension RemoteName {
  /// One that a test writes down, and that is known to be good.
  package init(known text: String) {
    do throws(FormatError) { self = try RemoteName(text) } catch {
      preconditionFailure("\(text): \(error)")
    }
  }
}
