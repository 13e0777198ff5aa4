import Hooks
import Signer

/// What the signer is told of a repository that has moved.
enum SignerNotice {
  /// Returns when the signer has fetched, and what moved is in its outbox; throws where it has not taken the hint.
  static func send(_ moved: MovedRepository, to socket: String) throws {
    _ = try IntakeClient(socket).ask(
      PushRequest(
        repository: moved.remote.text, isNamed: true, subject: .moved(refs: moved.refs),
        patience: .zero)
    ) { _ in }
  }
}
