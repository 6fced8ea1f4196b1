/**
 * The passwords that are tried first (of 8 characters and more; shorter ones are refused anyway), in
 * lower case. From the lists of leaked passwords that are published every year.
 */
const COMMON: ReadonlySet<string> = new Set(
  `password password1 password12 password123 password1234 passw0rd p@ssword p@ssw0rd 12345678
   123456789 1234567890 123123123 12341234 11111111 00000000 88888888 87654321 987654321 0987654321
   11223344 112233445566 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qwertyui qwertyuiop qwerty12 qwerty123
   qwerty1234 asdfghjk asdfghjkl zxcvbnm1 zxcvbnm123 abcd1234 abc12345 abc123456 abcdefgh a1b2c3d4
   iloveyou iloveyou1 iloveyou2 sunshine sunshine1 princess princess1 football football1 baseball
   baseball1 basketball superman superman1 batman123 starwars whatever trustno1 letmein1 letmein123
   welcome1 welcome123 admin123 admin1234 administrator changeme changeme1 changeme123 default1
   computer internet samsung1 michelle jennifer charlie1 jordan23 liverpool liverpool1 chelsea1
   arsenal1 corvette mercedes master123 monkey123 dragon123 shadow123 freedom1 ferrari1 mustang1
   michael1 password! password@123 pass1234 test1234 testtest test12345 guest123 secret123 hello123
   helloworld fleetbook qazwsxedc 1qazxsw2 zaq12wsx google123 facebook linkedin dropbox1 cocacola
   spiderman pokemon1 minecraft blink182 nintendo playstation september december november`.split(
    /\s+/,
  ),
);

/** Whether the password is one of the first that anybody tries. */
export function isCommonPassword(password: string): boolean {
  return COMMON.has(password.toLowerCase());
}
