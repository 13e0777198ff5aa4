import Glibc

/// What can go wrong with keys, signatures and sealed bytes. `String` values name the thing: a
/// path, or what the caller called it.
package enum SodiumError: Error, Equatable {
  // Files.
  case notThere(String)
  case alreadyThere(String)
  case notRegularFile(String)
  case openToOthers(String, mode: UInt32)
  case tooLarge(String, byteCountMax: Int)
  case system(call: String, subject: String, code: Int32)

  // What is in them.
  case notKeyFile(String)
  case publicInsteadOfSecret(String)
  case secretInsteadOfPublic(String)
  case unknownVersion(String, version: String)
  case truncated(String)
  case damaged(String)
  case unusableKey(String)
  case invalidName(String)

  // Passphrases.
  case passphraseNeeded(String)
  case wrongPassphrase(String)
  case costOverLimit(String, PassphraseCost)
  case costNotAffordable(String, PassphraseCost)
  case passphraseEmpty
  case passphraseTooLong(byteCountMax: Int)
  case passphrasesDiffer
  case noTerminal
  case interrupted

  // Messages.
  /// The signature just made does not verify: broken hardware, since the computation has no other
  /// input.
  case signingFault
  /// The wrapped key was sealed to someone else, or was changed on the way.
  case notSealedToUs
  /// Changed, reordered, of another message, or with other additional data.
  case chunkNotAuthentic
  case chunkAfterFinal
}

extension SodiumError: CustomStringConvertible {
  package var description: String {
    fileDescription ?? contentDescription ?? passphraseDescription ?? messageDescription
  }

  private var fileDescription: String? {
    switch self {
    case .notThere(let path): "\(path): no such file or directory"
    case .alreadyThere(let path): "\(path): exists already, and keys are never overwritten"
    case .notRegularFile(let path): "\(path): is not a regular file"
    case .openToOthers(let path, let mode):
      "\(path): is open to group or others (mode 0\(String(mode, radix: 8))); run chmod 600 on it"
    case .tooLarge(let path, let limit): "\(path): is larger than \(limit) bytes"
    case .system(let call, let subject, let code):
      "\(subject): \(call) failed: \(unsafe String(cString: strerror(code)))"
    default: nil
    }
  }

  private var contentDescription: String? {
    switch self {
    case .notKeyFile(let subject): "\(subject): is not a key of this program"
    case .publicInsteadOfSecret(let path):
      "\(path): holds a public key where a secret one is needed"
    case .secretInsteadOfPublic(let path):
      "\(path): holds a secret key where a public one is needed"
    case .unknownVersion(let subject, let version):
      "\(subject): has the version \(version), which this program does not know"
    case .truncated(let subject): "\(subject): is truncated"
    case .damaged(let subject): "\(subject): is damaged, its checksum does not fit"
    case .unusableKey(let subject): "\(subject): has a key that no machine can have made"
    case .invalidName(let name):
      "name \(String(reflecting: name)): has to be 1 to \(IdentityName.byteCountMax) letters, "
        + "digits and . _ - @, a letter or digit first"
    default: nil
    }
  }

  private var passphraseDescription: String? {
    switch self {
    case .passphraseNeeded(let path): "\(path): needs a passphrase, and none was given"
    case .wrongPassphrase(let path): "\(path): the passphrase is wrong"
    case .costOverLimit(let path, let cost): "\(path): asks for \(cost), which is over the limit"
    case .costNotAffordable(let path, let cost): "\(path): needs \(cost), which is not to be had"
    case .passphraseEmpty: "passphrase: is empty"
    case .passphraseTooLong(let limit): "passphrase: is longer than \(limit) bytes"
    case .passphrasesDiffer: "passphrase: was not the same twice"
    case .noTerminal: "passphrase: there is no terminal to ask for it"
    case .interrupted: "passphrase: interrupted"
    default: nil
    }
  }

  private var messageDescription: String {
    switch self {
    case .signingFault: "signature: does not verify right after it was made"
    case .notSealedToUs: "wrapped key: does not open with this identity"
    case .chunkNotAuthentic: "chunk: is not authentic"
    case .chunkAfterFinal: "chunk: follows the final one"
    default: "unknown"
    }
  }
}
