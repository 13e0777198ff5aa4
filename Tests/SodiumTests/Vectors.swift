import Sodium

/// Computed once without libsodium, from the definitions in the sources that the code names:
/// BLAKE2b by Python's hashlib 3; Ed25519, X25519, ChaCha20, Poly1305 and Argon2id by its
/// `cryptography` 48 (OpenSSL); the cores of HChaCha20, HSalsa20 and Salsa20 written out.
enum Vectors {
  /// 00 01 02 … 1f.
  static var seed: SecretBytes { SecretBytes(copying: Array<UInt8>(0..<32).span) }
  static let fingerprint = "573472ca59aaa2f90d65fab35474e58e7db448eefe1d6f04c9e252b1eee7d55e"
  static let line =
    "distro-public-1 "
    + "4h0rTkRqbKzBKW_KoBfWKsTxsD3ewM_7V33yDlY2aXZwASR0YHUxPnowbM2ItJHrnD6Ff3It3doMeR9gEsdQH5tH"
    + "M_0A4LVU60gqI6CK5A7ouzMQrRUlC7quUx7fmTARVzRyylmq vector"
  static let transportSecret = "196f56ea3c4d3806144e8b9ba709d12f77b3d83bcadd9bfa185817999094fcc3"

  /// DSSE's own example (protocol.md, "Test Vectors"), signed with the identity of the seed.
  static let statement = PreAuthenticationEncoding(
    type: "http://example.com/HelloWorld", body: Array("hello world".utf8))
  static let encodedStatement = "DSSEv1 29 http://example.com/HelloWorld 11 hello world"
  static let signature =
    "c88def242e3f925d5af21c7a2d2559817bcd7de1a5faaf3b13698f3cbade87d4"
    + "70a8eed24bc84aade5f7ba6c0cb837a7e36642864ec2589b803f90966ad5850e"

  /// The content key 40 41 … 5f, wrapped for the identity of the seed from the ephemeral secret 60
  /// 61 … 7f.
  static let wrapped =
    "675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52f5606f763bf8691a8"
    + "c2ff0c1da82266ad875e84b1c2efd0546cc3ef8fd9fb6f49012872590720b627382ae9f5d6406baf"
  /// A stream under that key with this header; the last chunk is final.
  static let header = "808182838485868788898a8b8c8d8e8f9091929394959697"
  static let chunks: [(content: String, additionalData: String, sealed: String)] = [
    ("first chunk", "one", "795a032f825df8452c1317e8fc4acc37918376b1cf2a03c342ca2eeb"),
    ("", "", "1235995a66f83941fbb13a98e8d2998c40"),
    ("the last chunk", "three", "decff7f90e2602437b65cb7374015433e5d6a6aef15a5b78732badf3cf5e23"),
  ]

  static let comment =
    "# distro secret key of vector: whoever has this file can act as vector, "
    + "so keep it to yourself\n"
  static let plainKeyFile =
    comment + """
      distro-secret-1 vector
      plain
      AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
      checksum rW82ggsb5bjd4wc7UUJVUqcrK8_yyPokLGurYL_7eZA

      """
  /// Salt 00 … 0f, nonce 00 … 17.
  static let encryptedKeyFile =
    comment + """
      distro-secret-1 vector
      argon2id 1 8192 AAECAwQFBgcICQoLDA0ODw
      AAECAwQFBgcICQoLDA0ODxAREhMUFRYXI9dUhFR715E0nug91DUgG-\
      i1W5UU89EkrMSFd6-8EU7tM0_Bw-dCeTVS03NYbAvl
      checksum OE179vF9bYwPaF62KGiTMKEjh2gJVWY8q5w3YNXi624

      """
  static let passphrase = "correct horse"

  static func identity() throws -> Identity {
    Identity(name: try IdentityName("vector"), seed: seed)
  }
}

func bytes(hex: String) -> [UInt8] {
  let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func copy(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }

func passphrase(_ text: String) throws -> Passphrase {
  try Passphrase(SecretBytes(copying: Array(text.utf8).span))
}
