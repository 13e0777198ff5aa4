package import Diagnostics
import Glibc

extension SodiumError: OperatorError {
  package var code: ErrorCode {
    switch self {
    case .notThere: .keyMissing
    case .alreadyThere: .keyExists
    case .openToOthers: .keyRights
    case .system(_, _, let code) where code == EACCES || code == EPERM: .keyRights
    case .system: .file
    case .passphraseNeeded, .wrongPassphrase, .costOverLimit, .costNotAffordable, .passphraseEmpty,
      .passphraseTooLong, .passphrasesDiffer, .noTerminal, .interrupted:
      .passphrase
    case .notRegularFile, .tooLarge, .notKeyFile, .publicInsteadOfSecret, .secretInsteadOfPublic,
      .unknownVersion, .truncated, .damaged, .unusableKey, .invalidName:
      .keyInvalid
    case .signingFault, .notSealedToUs, .chunkNotAuthentic, .chunkAfterFinal: .other
    }
  }

  package var hint: String? {
    switch self {
    case .notThere(let path) where path.hasSuffix(".pub"):
      "copy the other machine's .pub file there, and compare its fingerprint with the one shown there"
    case .notThere: "create one with: distro keygen NAME"
    case .alreadyThere: "choose another NAME, or move the old files away"
    case .openToOthers(let path, _): "run: chmod 600 \(path)"
    case .publicInsteadOfSecret: "name the .key file, not the .pub file"
    case .secretInsteadOfPublic: "name the .pub file, not the .key file"
    case .passphraseNeeded:
      "use --passphrase-file, or 'passphrase-file:' in the configuration"
    case .damaged, .truncated: "restore the file from a backup, or create a new identity"
    default: nil
    }
  }
}
