/// How long what a killed run has left is kept, in seconds by the directory's own clock.
package struct RemainsAge: Sendable {
  /// Of a file under a temporary name, since it was written to.
  package let temporary: Int
  /// Of a message's files without their manifest: a later run may go on with them.
  package let unfinished: Int

  package init(temporary: Int, unfinished: Int) {
    (self.temporary, self.unfinished) = (temporary, unfinished)
  }

  package static let standard = RemainsAge(temporary: 3_600, unfinished: 24 * 3_600)
}
